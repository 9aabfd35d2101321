"""What speaks to RabbitMQ: connections, exchanges and queues, and the form of what is sent."""
