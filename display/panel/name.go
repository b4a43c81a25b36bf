package panel

// String names a face, as its sample is named: "near-limit".
func (f Face) String() string {
	if f > LastFace {
		return "unknown"
	}
	return [faces]string{
		OutOfOrder: "out-of-order", Boot: "boot", Free: "free", FreeButton: "free-button", Busy: "busy", PayCode: "pay-code", Paying: "paying",
		Authorised: "authorised", Closing: "closing", Charging: "charging", Suspended: "suspended", NearLimit: "near-limit", Stopping: "stopping",
		Finished: "finished", NoEnergy: "no-energy", Occupied: "occupied", Interrupted: "interrupted", Faulted: "faulted", Emergency: "emergency",
		PayOffline: "pay-offline", Unavailable: "unavailable", Updating: "updating", Here: "here", TooCold: "too-cold", Several: "several",
	}[f]
}
