"""Statement mutants: small defects put into a plan, one at a time, that its checks must see."""
