"""The whole system on one machine, for `deploy-local-dev.sh` and the tests."""
