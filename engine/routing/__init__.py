"""Which call goes to which agent: a pure router, the process that holds it, and the claim that makes its word good."""
