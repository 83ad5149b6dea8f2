//! The embedded hosts.
