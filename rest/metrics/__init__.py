"""What is counted: metrics of the server and of the whole fleet for Prometheus, and rates for `/v1/stats`."""
