from gameshelf.libctl.main import main

main()
