"""The Kob-Andersen mixture: how it is simulated, read and checked."""
