# What an agent might do: fetch its task, and then something that nobody asked for.
curl -sS http://host.berth.internal:8000/task
ssh -o BatchMode=yes git@203.0.113.9 true
curl -s http://169.254.169.254/latest/meta-data/
echo done
