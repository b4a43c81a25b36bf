package main

import "github.com/spf13/cobra"

// commandTree is every command. Each has a file of its own.
func commandTree() []*cobra.Command {
	return []*cobra.Command{
		// the post itself
		runCommand(),
		demoCommand(),
		failsafeCommand(),

		// set it up
		configCommand(),
		setupCommand(),

		// what is wrong
		statusCommand(),

		// work at it
		serviceCommand(),
		identifyCommand(),

		// charges and money
		sessionsCommand(),
		paymentCommand(),
		qrCommand(),

		// hardware
		meterCommand(),

		// the fleet
		fleetCommand(),

		// support and the rest
		supportCommand(),
		versionCommand(),
	}
}
