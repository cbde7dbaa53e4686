//! The audit log: sees every webhook, understood or not, before any other module does.

mod audit_log;
