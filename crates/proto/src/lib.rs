//! The protocol, pure: XML scanner, stanzas, SASL, stream management, subscriptions.
