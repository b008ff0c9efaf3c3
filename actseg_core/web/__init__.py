"""The page in a browser: picture, masks, sentences; its server runs in threads of its own."""
