"""What a GPU is asked for: is it right, how near to the card's limit is a step, and how long does an edition take."""
