"""The host driver: transports, protocol and the Device."""
