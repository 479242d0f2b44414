"""Two runs compared study by study: what did the new model, version or decision change?"""
