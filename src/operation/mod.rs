//! What a KMIP operation does: a file an operation.
