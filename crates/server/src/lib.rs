//! Everything impure: sockets, TLS, files, the command line.
