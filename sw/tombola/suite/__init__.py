"""The networks that hardware is measured on, as tickets with random masks: no search needed."""
