//! The configuration file: versioned, unknown keys refused. Imports nothing else of the house.
