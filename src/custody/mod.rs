//! The custody log as a thing to read: record, Merkle tree, verification. Pure; imports nothing else of the house.
