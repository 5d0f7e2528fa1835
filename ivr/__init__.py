"""What a caller hears before a person answers: flows as data, what checks them, what runs them."""
