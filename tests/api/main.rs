//! The service as a client meets it: the real binary, a real PostgreSQL, one database a test.
//!
//! Needs `DATABASE_URL` of a role that may create databases: `make test` brings a private server.

mod db;
mod http;
mod ops;
mod orders;
mod support;
