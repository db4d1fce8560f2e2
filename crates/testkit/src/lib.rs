//! A server in memory, scripted clients and virtual time for the scenarios.
