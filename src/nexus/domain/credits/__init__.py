"""Credits: the periods they are given for, and every movement of them."""
