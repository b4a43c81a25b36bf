#!/bin/sh
# Decrypts the secrets of a post for stolpe.service, each for itself: one that cannot be
# decrypted is told of and left out. Run by stolpe-secrets.service, which says why.
#
# usage: secrets [FOLDER of encrypted ones] [FOLDER for the others]
from=${1:-/etc/credstore.encrypted}
to=${2:-/run/credstore}
umask 077

for name in vipps-client-id vipps-client-secret vipps-subscription-key gateway-key; do
	rm -f "$to/$name" # also of one that is not kept any more
	[ -e "$from/$name" ] || continue
	if systemd-creds decrypt --name="$name" "$from/$name" - >"$to/.$name"; then
		mv "$to/.$name" "$to/$name"
	else
		rm -f "$to/.$name"
		echo "$from/$name cannot be decrypted on this machine: the post starts without it;" \
			"keep it anew (stolpe config secret set $name) and restart stolpe.service" >&2
	fi
done
exit 0
