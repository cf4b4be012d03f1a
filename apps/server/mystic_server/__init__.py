"""The Mystic server: one room with many doors."""
