"""Plans and runs documents. Pure decisions here, effects through the host."""
