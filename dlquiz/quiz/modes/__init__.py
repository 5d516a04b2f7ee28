"""The ways to practise, one module each."""
