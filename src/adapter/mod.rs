//! Adapters, their certificates and root keys, who may do what. Imports nothing else of the house.
