//! With async-nats.
