"""What files of other tools say about clouds, keys and defaults: text in, dataclasses out; nothing is run or sent."""
