package main

import "github.com/spf13/cobra"

// commandTree is every command. Each has a file of its own.
func commandTree() []*cobra.Command {
	return []*cobra.Command{
		// the post itself
		runCommand(),
		demoCommand(),
		simulateCommand(),
		failsafeCommand(),

		// set it up
		configCommand(),
		setupCommand(),
		provisionCommand(),

		// what is wrong
		doctorCommand(),
		whyCommand(),
		statusCommand(),

		// work at it
		serviceCommand(),
		identifyCommand(),
		restartCommand(),
		priceCommand(),
		mqttCommand(),

		// charges and money
		sessionsCommand(),
		owedCommand(),
		paymentCommand(),
		qrCommand(),

		// hardware
		meterCommand(),
		contactorCommand(),
		displayCommand(),

		// the fleet
		fleetCommand(),

		// support and the rest
		gatewayCommand(),
		logsCommand(),
		supportCommand(),
		versionCommand(),
	}
}
