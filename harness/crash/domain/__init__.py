"""The ways of striking, one package a domain."""
