//! Networks behind the acquirer port.
