//! The KMIP protocol, pure: knows no socket, no store, no device. Imports nothing else of the house.
