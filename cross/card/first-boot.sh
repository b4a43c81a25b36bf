#!/bin/sh
# Ends the time in which the system of a post's card can be written: once the package is
# installed, the distribution has made what no two cards may share, and the post has its
# configuration, the read-only fstab takes the place of the other, and the machine reboots.
# Done at each boot until then (stolpe-card.service); each step may be done again.
set -eu
root=${1:-} # of the card; empty on the card itself

later() {
	echo "the system stays writable until the next boot: $1"
	exit 0
}

for deb in "$root"/usr/lib/stolpe-card/*.deb; do
	[ -e "$deb" ] || continue
	# A power cut may have left a package half installed.
	dpkg --configure -a
	dpkg -i "$deb"
	sync
	rm -f "$deb"
	installed=yes
done
if [ "${installed:-}" = yes ]; then
	# Units that were installed just now have not been started at this boot.
	systemctl daemon-reload
	systemctl start stolpe-provision.service || later "the configuration could not be taken in; the boot partition says why"
	systemctl start --no-block stolpe.service
fi

[ -s "$root/etc/stolpe/stolpe.yaml" ] || later "the post has no configuration"
case $(cat "$root/etc/machine-id" 2>/dev/null) in
'' | uninitialized) later "the machine has no id" ;;
esac
if [ -e "$root/etc/ssh/sshd_config" ]; then
	ls "$root"/etc/ssh/ssh_host_*_key >/dev/null 2>&1 || later "the machine has no ssh keys"
fi
mountpoint -q "$root/data" || later "there is no data partition"

sync
mv "$root/etc/fstab.sealed" "$root/etc/fstab"
sync
echo "the system is read-only from the next boot on: sudo mount -o remount,rw / lifts that until the one after"
systemctl --no-block reboot
