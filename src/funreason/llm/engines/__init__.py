"""The four engines behind `Client`: vLLM in this process or in one that stages share, replicas on Ray, a server."""
