"""The shop: what it sells, and the handlers of its routes; it knows neither database nor cache by name."""
