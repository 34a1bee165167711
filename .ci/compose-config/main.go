// Reads a compose file as `docker compose config` does, by the same library: its schema, variables, and references
// between services. Prints the services, or what is wrong.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	options, err := cli.NewProjectOptions(os.Args[2:], cli.WithEnvFiles(os.Args[1]), cli.WithDotEnv, cli.WithProfiles([]string{"*"}))
	if err == nil {
		project, failed := options.LoadProject(context.Background())
		if err = failed; err == nil {
			fmt.Println(len(project.Services), "services are valid")
			return
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
