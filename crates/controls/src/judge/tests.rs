//! Verdicts on hand-made evidence.
