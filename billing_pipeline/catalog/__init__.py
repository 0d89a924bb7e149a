"""What is sold: products, plans, price models, rate cards, taxes, feeds."""
