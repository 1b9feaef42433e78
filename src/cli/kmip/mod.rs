//! `claviger kmip …`: a KMIP client for the operator.

mod connection;
