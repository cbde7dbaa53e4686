//! Contributors: who did what, and how much of it.

mod people;
