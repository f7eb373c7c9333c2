//! Forms, JSON, errors, versions, documents: bytes and declarations, no sockets.
