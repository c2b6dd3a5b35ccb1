"""The parts composed into evidence."""
