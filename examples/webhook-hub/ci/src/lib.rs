//! Continuous integration: how checks and workflow jobs end. Tells the others of those that failed.

mod builds;
