"""dlquiz: Keras assignments that check themselves, and practice for the theory behind them."""
