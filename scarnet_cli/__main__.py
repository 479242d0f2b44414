"""Run the command line as `python -m scarnet_cli`, where the package is on the path but not installed."""

from scarnet_cli.cli.main import main

if __name__ == "__main__":
    main()
