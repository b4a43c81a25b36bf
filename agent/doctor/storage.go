package doctor

import (
	"slices"
	"strings"
)

// forgets are file systems that are empty after a power cut. What is changed in an overlay
// lies in memory, or in a container that is thrown away; nothing tells from within.
func forgets(kind string) bool {
	return slices.Contains([]string{"tmpfs", "ramfs", "overlay", "squashfs", "zram"}, kind)
}

// crude are file systems that know no owners, or keep no order of what is written.
func crude(kind string) bool {
	return slices.Contains([]string{"vfat", "msdos", "exfat", "ntfs", "ntfs3", "fuseblk"}, kind)
}

// playMoney says whether no real money moves.
func (f *Facts) playMoney() bool {
	const sim = "sim"
	return f.Daemon != nil && f.Daemon.Pay.Through == sim || f.Daemon == nil && f.File.Pay == sim
}

// away tells of a partition that the post needs and that is not there: without it there is
// no configuration, and so all the rest would be told wrong.
func away(f *Facts, tell func(Finding)) {
	if all := strings.Join(f.Machine.Away, ", "); all != "" {
		tell(Finding{Status: Fail, Topic: "recovery", What: say("fstab monterer %s, og der er ingenting montert: datapartisjonen mangler eller er ødelagt", "fstab mounts %s, and nothing is mounted there: the data partition is missing or damaged", all),
			Remedy: Text{"se om partisjonen er der, og hvorfor den ikke kom: lsblk -f; journalctl -b -u '*.mount' -u 'systemd-fsck@*'; reparer den (sudo e2fsck -f PARTISJON) og start på nytt (sudo reboot); mkfs ville slette hvem som har penger til gode", "see whether the partition is there, and why it did not come: lsblk -f; journalctl -b -u '*.mount' -u 'systemd-fsck@*'; repair it (sudo e2fsck -f PARTITION) and reboot (sudo reboot); mkfs would delete whom the post owes money"}})
	}
}

// state judges what the state folder lies on: it says who is to get money back, and must
// be there after a power cut.
func state(f *Facts, tell func(Finding)) {
	s, x := f.Machine.State, Finding{Topic: "raspberry-pi"}
	move := Text{"gi den en ext4-partisjon av sin egen på kortet, og flytt mappen dit med programmet stanset", "give it an ext4 partition of its own on the card, and move the folder there with the program stopped"}
	switch {
	case s == nil:
		x.Status, x.What = Skip, Text{"det er ikke kjent hva tilstandsmappen ligger på", "it is not known what the state folder lies on"}
	case f.playMoney():
		x.Status, x.What = Skip, say("%s på %s; med lekepenger er det likegyldig", "%s at %s; with play money it does not matter", s.Kind, s.At)
	case forgets(s.Kind):
		x.Status, x.What = Fail, say("tilstandsmappen ligger på %s (%s): etter et strømbrudd vet posten ikke lenger hvem som har penger til gode", "the state folder lies on %s (%s): after a power cut the post does not know any more whom it owes money", s.Kind, s.At)
		x.Remedy = move
	case crude(s.Kind):
		x.Status, x.What, x.Remedy = Fail, say("tilstandsmappen ligger på %s (%s), som et strømbrudd ødelegger", "the state folder lies on %s (%s), which a power cut spoils", s.Kind, s.At), move
	case s.NoFlush:
		x.Status, x.What = Fail, say("%s er montert uten sperrer (barrier=0): det som er skrevet, trenger ikke være på kortet", "%s is mounted without barriers (barrier=0): what was written need not be on the card", s.At)
		x.Remedy = Text{"ta nobarrier og barrier=0 ut av /etc/fstab, og sudo reboot når ingen lader", "take nobarrier and barrier=0 out of /etc/fstab, and sudo reboot when nobody charges"}
	case !s.Own && f.Machine.Pi:
		x.Status, x.What = Warn, Text{"tilstandsmappen deler partisjon med systemet: når den blir full eller ødelagt, gjelder det begge", "the state folder shares a partition with the system: when that is full or damaged, it is so for both"}
		x.Remedy = move
	case !s.Own:
		x.Status, x.What = Pass, say("%s, på systemets partisjon", "%s, on the partition of the system", s.Kind)
	default:
		x.Status, x.What = Pass, say("%s på %s, en partisjon for seg", "%s at %s, a partition of its own", s.Kind, s.At)
	}
	tell(x)
}

// system judges whether the card of a Raspberry Pi is spared by what the system lies on.
func system(f *Facts, tell func(Finding)) {
	s, x := f.Machine.System, Finding{Topic: "raspberry-pi"}
	switch {
	case s == nil || !f.Machine.Pi:
		x.Status, x.What = Skip, Text{"gjelder kortet til en Raspberry Pi", "is about the card of a Raspberry Pi"}
	case s.ReadOnly:
		x.Status, x.What = Pass, Text{"kan bare leses", "read-only"}
	case forgets(s.Kind):
		x.Status, x.What = Pass, say("kortet kan bare leses, med %s over", "the card is read-only, below %s", s.Kind)
	case s.NoATime:
		x.Status, x.What = Pass, Text{"kan skrives; lesing skriver ikke (noatime)", "may be written; reading writes nothing (noatime)"}
	default:
		x.Status, x.What = Warn, Text{"systemet skriver på kortet også når det leser: det sliter, og et strømbrudd kan treffe midt i", "the system writes on the card when it reads, too: that wears it, and a power cut may hit in the middle"}
		x.Remedy = Text{"la systemet bare leses, eller skriv noatime på linjen for / i /etc/fstab", "have the system read-only, or write noatime into the line of / in /etc/fstab"}
	}
	tell(x)
}

// swap judges whether memory is put aside on a card.
func swap(f *Facts, tell func(Finding)) {
	var onDisk []string
	for _, s := range f.Machine.Swap {
		if !s.RAM {
			onDisk = append(onDisk, s.Name)
		}
	}
	x := Finding{Topic: "raspberry-pi"}
	switch {
	case len(onDisk) > 0 && f.Machine.Pi:
		x.Status, x.What = Warn, say("minne legges ut på kortet (%s): det sliter, og programmet kan bli stående og vente på det", "memory is put aside on the card (%s): that wears it, and the program may stand and wait for it", strings.Join(onDisk, ", "))
		x.Remedy = Text{"på Raspberry Pi OS 12: sudo systemctl disable --now dphys-swapfile; fra 13: Mechanism=zram under [Main] i /etc/rpi/swap.conf; ellers: ta linjen ut av /etc/fstab, og sudo swapoff -a", "on Raspberry Pi OS 12: sudo systemctl disable --now dphys-swapfile; from 13 on: Mechanism=zram below [Main] in /etc/rpi/swap.conf; else: take the line out of /etc/fstab, and sudo swapoff -a"}
	case len(onDisk) > 0:
		x.Status, x.What = Pass, say("%s, ikke på et minnekort", "%s, not on a memory card", strings.Join(onDisk, ", "))
	default:
		x.Status, x.What = Pass, Text{"ingen på disk", "none on a disk"}
	}
	tell(x)
}

// logs judges whether the program's log is there after a power cut.
func logs(f *Facts, tell func(Finding)) {
	switch l := f.Machine.Logs; {
	case l == nil:
		tell(Finding{Status: Skip, What: Text{"programmet har ingen journal for seg på denne maskinen", "the program has no journal of its own on this machine"}})
	case !l.Kept:
		tell(Finding{Status: Warn, What: Text{"loggen til programmet er borte etter et strømbrudd", "the log of the program is gone after a power cut"},
			Remedy: Text{"Storage=persistent under [Journal] i /etc/systemd/journald@stolpe.conf, og /var/log/journal på et filsystem som varer; så sudo systemctl restart systemd-journald@stolpe", "Storage=persistent below [Journal] in /etc/systemd/journald@stolpe.conf, and /var/log/journal on a file system that lasts; then sudo systemctl restart systemd-journald@stolpe"}})
	default:
		tell(Finding{Status: Pass, What: Text{"varer over et strømbrudd", "outlasts a power cut"}})
	}
}

// asks says whether config.txt asks for what a device needs.
func (m *Machine) asks(device string) bool {
	return strings.HasPrefix(device, "/dev/i2c") && m.BootI2C || strings.HasPrefix(device, "/dev/spidev") && m.BootSPI
}

// unheeded is for a device that config.txt asks for, and that is not there.
func (m *Machine) unheeded(device string) Text {
	return say("%s ber om den: sudo reboot når ingen lader; er den fortsatt borte, prøv: sudo modprobe %s", "%s asks for it: sudo reboot when nobody charges; if it is still away, try: sudo modprobe %s", or(m.BootConfig, "config.txt"), driverOf(device))
}

func driverOf(device string) string {
	if strings.HasPrefix(device, "/dev/i2c") {
		return "i2c-dev"
	}
	return "spidev"
}
