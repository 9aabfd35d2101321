"""Who follows the event stream over HTTP: server-sent events, the WebSocket, webhooks, requests that wait."""
