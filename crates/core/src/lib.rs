//! Sessions, routing, the way of a message, and one file a feature.
