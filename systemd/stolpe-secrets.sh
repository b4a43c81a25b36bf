#!/bin/sh
# Decrypts the secrets of a post for stolpe.service, each for itself: one that cannot be
# decrypted is told of and left out. Run by stolpe-secrets.service, which says why.
#
# usage: secrets [FOLDER of encrypted ones] [FOLDER for the others] [FOLDER that names those]
from=${1:-/etc/credstore.encrypted}
to=${2:-/run/credstore}
named=${3:-/run/stolpe-secrets}
umask 077
chmod 0755 "$named" # the post looks there
failed=0

for name in vipps-client-id vipps-client-secret vipps-subscription-key gateway-key; do
	if [ ! -e "$from/$name" ]; then
		rm -f "$to/$name" "$named/$name" # it is not kept any more
		continue
	fi
	if systemd-creds decrypt --name="$name" "$from/$name" - >"$to/.$name"; then
		{ mv "$to/.$name" "$to/$name" && true >"$named/$name"; } || failed=1
	else
		rm -f "$to/.$name"
		# One that was decrypted since the machine was started stays: this may pass.
		echo "$from/$name cannot be decrypted on this machine: the post starts without it, or with what it was;" \
			"keep it anew (stolpe config secret set $name) and restart stolpe.service" >&2
		failed=1
	fi
done
exit "$failed"
