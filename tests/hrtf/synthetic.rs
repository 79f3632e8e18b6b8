//! Sets that are made up.
